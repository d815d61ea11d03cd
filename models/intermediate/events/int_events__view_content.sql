with

web_events as (

    select * from {{ slice_of('int_web_events__latest') }}

),

views as (

    select
        {{ event_record(
            {'event_name': "'ViewContent'"},
            web_event_columns('web_events'),
            columns_of('web_events', [
                'value', 'currency', 'contents', 'content_ids', 'content_type', 'content_name',
                'content_category',
            ])
        ) }}
    from web_events
    where event_name = 'ViewContent'

)

select * from views
