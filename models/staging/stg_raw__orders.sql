{{ require_raw_columns('orders') }}

with

texts as (

    select
        {{ raw_texts('orders') }}
    from {{ raw_table('orders') }}

),

orders as (

    select
        ---------- ids
        order_id,
        customer_id,
        session_id,
        browser_event_id,

        ---------- states
        lower(channel) as channel,
        case
            when lower(financial_status) in ('pending', 'paid', 'partially_refunded', 'refunded', 'voided')
                then lower(financial_status)
            else 'pending'
        end as financial_status,
        -- A flag that nobody can read is taken as set: a test order must not be counted. An empty one is not.
        coalesce({{ raw_value('orders', 'is_test') }}, is_test is not null) as is_test,
        -- A time that is there but unreadable still says that it happened.
        paid_at is not null as is_paid,
        cancelled_at is not null as is_cancelled,

        ---------- timestamps
        {{ raw_value('orders', 'created_at') }} as created_at,
        {{ raw_value('orders', 'paid_at') }} as paid_at,
        {{ raw_value('orders', 'updated_at') }} as updated_at,

        ---------- money
        upper(currency) as currency,
        {{ raw_value('orders', 'subtotal') }} as subtotal,
        {{ raw_value('orders', 'shipping') }} as shipping,
        {{ raw_value('orders', 'tax') }} as tax,
        {{ raw_value('orders', 'total') }} as total,
        {{ raw_value('orders', 'net_revenue') }} as net_revenue,
        {{ raw_value('orders', 'predicted_ltv') }} as predicted_ltv,

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
        {{ raw_value('orders', 'is_new_customer') }} as is_new_customer,

        ---------- browser
        client_ip,
        user_agent,
        landing_url,

        ---------- audit
        {{ unreadable_columns('orders') }} as unreadable_columns
    from texts

)

select * from orders
