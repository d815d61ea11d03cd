{{ require_raw_columns('web_events') }}

with

texts as (

    select
        {{ raw_texts('web_events') }}
    from {{ raw_table('web_events') }}

),

web_events as (

    select
        ---------- ids
        web_event_id,
        event_id,
        session_id,
        visitor_id,
        customer_id,
        order_id,

        ---------- states
        {{ standard_event_name('event_name') }} as event_name,
        event_name as fired_name,
        -- A flag that nobody can read is taken as set, as for orders.
        coalesce({{ raw_value('web_events', 'is_test') }}, is_test is not null) as is_test,

        ---------- timestamps
        {{ raw_value('web_events', 'occurred_at') }} as occurred_at,

        ---------- what it is about
        {{ raw_value('web_events', 'value') }} as value,
        upper(currency) as currency,
        product_id,
        {{ raw_value('web_events', 'quantity') }} as quantity,
        {{ raw_value('web_events', 'unit_price') }} as unit_price,
        content_ids,
        content_type,
        {{ raw_value('web_events', 'num_items') }} as num_items,
        content_name,
        content_category,
        search_string,

        ---------- person
        email,
        phone,
        country_code as country,
        region,

        ---------- browser
        page_url,
        referrer_url,
        client_ip,
        user_agent,
        fbp,
        fbc,

        ---------- audit
        {{ unreadable_columns('web_events') }} as unreadable_columns
    from texts

)

select * from web_events
