with

web_events as (

    select * from {{ slice_of('int_web_events__latest') }}

),

searches as (

    select
        {{ event_record(
            {'event_name': "'Search'"},
            web_event_columns('web_events'),
            columns_of('web_events', [
                'search_string', 'value', 'currency', 'contents', 'content_ids', 'content_type',
                'content_category',
            ])
        ) }}
    from web_events
    where event_name = 'Search'

)

select * from searches
