with

web_events as (

    select * from {{ slice_of('int_web_events__latest') }}

),

page_views as (

    select
        {{ event_record({'event_name': "'PageView'"}, web_event_columns('web_events')) }}
    from web_events
    where event_name = 'PageView'

)

select * from page_views
