{%- set counted = ref('int_identifiers__counted') -%}
with

counted as (

    select * from {{ counted }}
    {%- if counted.schema and is_slice() %}
        -- A slice counts itself: what it was before goes, and the rest stays as it is.
        union all
        select * from {{ this }}
        union all
        select
            source_table,
            field,
            measure,
            -event_count as event_count
        from {{ our_table('build_identifiers') }}
    {%- endif %}

),

audit_identifiers as (

    select
        source_table,
        field,
        measure,
        cast(sum(event_count) as bigint) as event_count
    from counted
    group by source_table, field, measure
    having sum(event_count) > 0

)

select * from audit_identifiers
