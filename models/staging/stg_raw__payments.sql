{{ require_raw_columns('payments') }}

with

texts as (

    select
        {{ raw_texts('payments') }}
    from {{ raw_table('payments') }}

),

payments as (

    select
        ---------- ids
        payment_id,
        order_id,

        ---------- states
        case when lower(status) in ('succeeded', 'failed') then lower(status) else 'pending' end as status,

        ---------- audit
        {{ unreadable_columns('payments') }} as unreadable_columns
    from texts

)

select * from payments
