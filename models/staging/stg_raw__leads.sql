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
        coalesce({{ raw_value('leads', 'is_test') }}, is_test is not null) as is_test,

        ---------- timestamps
        {{ raw_value('leads', 'occurred_at') }} as occurred_at,
        {{ raw_value('leads', 'created_at') }} as created_at,

        ---------- what it is about
        content_name,
        content_category,

        ---------- money
        upper(currency) as currency,
        {{ raw_value('leads', 'value') }} as value,
        {{ raw_value('leads', 'predicted_ltv') }} as predicted_ltv,

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
