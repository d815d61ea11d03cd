with

order_lines as (

    select * from {{ ref('stg_raw__order_lines') }}

),

-- A line may have been loaded twice; lines without a number cannot be told apart and all stay.
ranked as (

    select
        *,
        row_number() over (
            partition by order_id, line_number order by product_id, quantity, unit_price, title, category
        ) as version_number
    from order_lines

),

-- An item must have an id and a quantity, else it says nothing; a price it can do without.
items as (

    select
        order_id,
        line_number,
        product_id,
        quantity,
        cast(
            case when unit_price between 0 and 10000000000000 then unit_price end as decimal(18, 4)
        ) as unit_price,
        title,
        category
    from ranked
    where
        (version_number = 1 or line_number is null)
        and order_id is not null
        and product_id is not null
        -- Larger ones are no quantities, and their sum would not fit.
        and quantity between 1 and 1000000

),

order_lines_grouped as (

    select
        order_id,
        {{ line_items() }} as contents,
        {{ line_ids() }} as content_ids,
        cast(sum(quantity) as bigint) as num_items
    from items
    group by order_id

)

select * from order_lines_grouped
