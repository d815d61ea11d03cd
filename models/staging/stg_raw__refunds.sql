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
        {{ raw_value('refunds', 'amount') }} as amount,

        ---------- timestamps
        {{ raw_value('refunds', 'refunded_at') }} as refunded_at,

        ---------- audit
        {{ unreadable_columns('refunds') }} as unreadable_columns
    from texts

)

select * from refunds
