{{ require_raw_columns('subscriptions') }}

with

texts as (

    select
        {{ raw_texts('subscriptions') }}
    from {{ raw_table('subscriptions') }}

),

subscriptions as (

    select
        ---------- ids
        subscription_id,
        order_id,
        customer_id,
        visitor_id,
        session_id,
        browser_event_id,

        ---------- states
        lower(change) as change,
        plan_name,
        -- A renewal happens by itself, the others on the website, unless the row says otherwise.
        coalesce(lower(channel), case when lower(change) = 'renewed' then 'system' else 'web' end) as channel,
        -- A flag that nobody can read is taken as set. An empty one is not.
        coalesce({{ raw_value('subscriptions', 'is_test') }}, is_test is not null) as is_test,

        ---------- timestamps
        {{ raw_value('subscriptions', 'changed_at') }} as changed_at,

        ---------- numerics
        {{ raw_value('subscriptions', 'period') }} as period,
        upper(currency) as currency,
        {{ raw_value('subscriptions', 'amount') }} as amount,
        {{ raw_value('subscriptions', 'predicted_ltv') }} as predicted_ltv,

        ---------- person
        email,
        phone,
        first_name,
        last_name,
        city,
        region,
        postal_code,
        country_code as country,
        date_of_birth,
        gender,

        ---------- browser
        client_ip,
        user_agent,
        landing_url,

        ---------- audit
        {{ unreadable_columns('subscriptions') }} as unreadable_columns
    from texts

)

select * from subscriptions
