with

unreadable as (

    select * from {{ ref('int_values__unreadable') }}

),

unreadable_values as (

    select
        table_name,
        column_name,
        count(*) as unreadable_count,
        min(row_id) as example_key
    from unreadable
    group by table_name, column_name

)

select * from unreadable_values
