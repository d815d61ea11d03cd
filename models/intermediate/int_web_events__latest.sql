with

web_events as (

    select * from {{ ref('stg_raw__web_events') }}
    where not is_test

),

-- A row may have been loaded twice. Rows without an id cannot be told apart by it, and all stay.
numbered as (

    select
        *,
        row_number() over (
            partition by web_event_id
            order by occurred_at asc nulls last, event_name asc, event_id asc, session_id asc, value asc
        ) as version_number
    from web_events

),

-- A page that is loaded anew fires the pixel again under the same id; the platform counts the first.
fired as (

    select
        *,
        row_number() over (
            partition by event_name, fired_name, event_id
            order by occurred_at asc nulls last, web_event_id asc, version_number asc
        ) as firing_number
    from numbered
    where web_event_id is null or version_number = 1

),

web_events_latest as (

    select
        {{ [
            'web_event_id', 'event_id', 'session_id', 'visitor_id', 'customer_id', 'order_id', 'event_name',
            'fired_name', 'occurred_at', 'value', 'currency', 'content_name', 'content_category', 'email', 'phone',
            'country', 'region', 'page_url', 'referrer_url', 'client_ip', 'user_agent', 'fbp', 'fbc',
        ] | join(',\n        ') }},
        -- What was typed may be an e-mail address, which must not go on in clear.
        case when search_string not like '%@%' then search_string end as search_string,
        {{ record_key('web_event_id', 'version_number') }} as row_key,
        {{ product_columns('content_type', 'num_items') }}
    from fired
    where event_id is null or firing_number = 1

)

select * from web_events_latest
