{{ require_raw_columns('order_lines') }}

with

texts as (

    select
        {{ raw_texts('order_lines') }}
    from {{ raw_table('order_lines') }}

),

order_lines as (

    select
        ---------- ids
        order_id,
        product_id,

        ---------- product
        title,
        category,

        ---------- numerics
        {{ raw_value('order_lines', 'line_number') }} as line_number,
        {{ raw_value('order_lines', 'quantity') }} as quantity,
        {{ raw_value('order_lines', 'unit_price') }} as unit_price,

        ---------- audit
        {{ unreadable_columns('order_lines') }} as unreadable_columns
    from texts

)

select * from order_lines
