-- Guards: each event is counted in each field, each value that is there is valid or not, and each has one
-- verdict of the comparison; what was changed and what was not make up the valid ones.
with

measures as (

    select
        source_table,
        field,
        {%- for measure in [
            'events', 'filled', 'valid', 'invalid', 'already_hashed', 'unchanged', 'same_as_sdk', 'differs_from_sdk',
            'sdk_refuses', 'only_sdk_sends', 'neither_sends', 'sdk_sends_clear',
        ] %}
            sum(case when measure = '{{ measure }}' then event_count else 0 end) as {{ measure }},
        {%- endfor %}
        sum(case when measure like 'changed_by_%' then event_count else 0 end) as changes
    from {{ ref('audit_identifiers') }}
    group by source_table, field

),

events as (

    select count(*) as event_count from {{ ref('fct_conversion_events') }}

),

fields as (

    select
        field,
        sum(events) as event_count
    from measures
    group by field

),

every_identifier_is_accounted_for as (

    select
        source_table,
        field
    from measures
    where
        filled > events
        or filled <> valid + invalid
        or filled - neither_sends - only_sdk_sends
        <> same_as_sdk + differs_from_sdk + sdk_refuses + sdk_sends_clear
        or already_hashed + unchanged > valid
        or already_hashed + unchanged + changes < valid
    union all
    select
        'all' as source_table,
        fields.field
    from fields
    cross join events
    where fields.event_count <> events.event_count

)

select * from every_identifier_is_accounted_for
