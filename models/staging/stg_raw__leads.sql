{{ require_raw_columns('leads') }}

with

texts as (

    select
        {{ raw_texts('leads') }}
    from {{ raw_table('leads') }}

),

leads as (

    select
        ---------- ids
        lead_id,
        platform_lead_id,
        customer_id,
        visitor_id,
        session_id,
        browser_event_id,

        ---------- states
        stage,
        lower(channel) as channel,
        crm_name,
        registration_status,
        -- A flag that nobody can read is taken as set. An empty one is not.
        coalesce({{ as_bool('is_test') }}, is_test is not null) as is_test,

        ---------- timestamps
        {{ as_time('occurred_at') }} as occurred_at,
        {{ as_time('created_at') }} as created_at,

        ---------- what it is about
        content_name,
        content_category,

        ---------- money
        upper(currency) as currency,
        {{ as_number('value') }} as value,
        {{ as_number('predicted_ltv') }} as predicted_ltv,

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
        {{ unreadable_columns('leads') }} as unreadable_columns
    from texts

)

select * from leads
