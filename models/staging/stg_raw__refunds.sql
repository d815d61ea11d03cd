{{ require_raw_columns('refunds') }}

with

texts as (

    select
        {{ raw_texts('refunds') }}
    from {{ raw_table('refunds') }}

),

refunds as (

    select
        ---------- ids
        refund_id,
        order_id,

        ---------- money
        upper(currency) as currency,
        {{ as_number('amount') }} as amount,

        ---------- timestamps
        {{ as_time('refunded_at') }} as refunded_at,

        ---------- audit
        {{ unreadable_columns('refunds') }} as unreadable_columns
    from texts

)

select * from refunds
