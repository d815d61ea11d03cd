with

records as (

    select * from {{ ref('int_records__unused') }}

),

records_without_event as (

    select
        source_table,
        source_id,
        reason
    from records

)

select * from records_without_event
