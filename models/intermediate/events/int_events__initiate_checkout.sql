with

web_events as (

    select * from {{ slice_of('int_web_events__latest') }}

),

checkouts as (

    select
        {{ event_record(
            {'event_name': "'InitiateCheckout'"},
            web_event_columns('web_events'),
            columns_of('web_events', [
                'value', 'currency', 'contents', 'content_ids', 'content_type', 'num_items',
                'content_category',
            ])
        ) }}
    from web_events
    where event_name = 'InitiateCheckout'

)

select * from checkouts
