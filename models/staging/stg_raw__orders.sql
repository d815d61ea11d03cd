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
        coalesce({{ as_bool('is_test') }}, is_test is not null) as is_test,
        -- A time that is there but unreadable still says that it happened.
        paid_at is not null as is_paid,
        cancelled_at is not null as is_cancelled,

        ---------- timestamps
        {{ as_time('created_at') }} as created_at,
        {{ as_time('paid_at') }} as paid_at,
        {{ as_time('updated_at') }} as updated_at,

        ---------- money
        upper(currency) as currency,
        {{ as_number('subtotal') }} as subtotal,
        {{ as_number('shipping') }} as shipping,
        {{ as_number('tax') }} as tax,
        {{ as_number('total') }} as total,
        {{ as_number('net_revenue') }} as net_revenue,
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
        {{ as_bool('is_new_customer') }} as is_new_customer,

        ---------- browser
        client_ip,
        user_agent,
        landing_url,

        ---------- audit
        {{ unreadable_columns('orders') }} as unreadable_columns
    from texts

)

select * from orders
