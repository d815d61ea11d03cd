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
        {{ as_integer('line_number') }} as line_number,
        {{ as_integer('quantity') }} as quantity,
        {{ as_number('unit_price') }} as unit_price,

        ---------- audit
        {{ unreadable_columns('order_lines') }} as unreadable_columns
    from texts

)

select * from order_lines
