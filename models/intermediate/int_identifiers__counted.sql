{#- Measure -> what a value must be to count; the yml says what each means. -#}
{%- set measures = {
    'events': 'true',
    'filled': 'is_filled',
    'valid': 'is_valid',
    'invalid': 'is_filled and not is_valid',
    'already_hashed': 'is_hash',
    'unchanged': 'is_valid and not is_hash and not is_changed',
} -%}
{%- for rule in identifier_changes().keys() | list + ['other'] -%}
    {%- do measures.update({'changed_by_' ~ rule: 'changed_by_' ~ rule}) -%}
{%- endfor -%}
{%- for verdict in [
    'same_as_sdk', 'differs_from_sdk', 'sdk_refuses', 'only_sdk_sends', 'neither_sends', 'sdk_sends_clear',
] -%}
    {%- do measures.update({verdict: "sdk_verdict = '" ~ verdict ~ "'"}) -%}
{%- endfor -%}
with

compared as (

    select * from {{ ref('int_identifiers__compared') }}

),

-- One pass over the values; turning columns into rows comes after, where few are left.
counted as (

    select
        {%- for measure, condition in measures.items() %}
            sum(case when {{ condition }} then event_count else 0 end) as {{ measure }},
        {%- endfor %}
        source_table,
        field
    from compared
    group by source_table, field

),

identifiers_counted as (
    {% for measure in measures %}
        select
            source_table,
            field,
            '{{ measure }}' as measure,
            cast({{ measure }} as bigint) as event_count
        from counted
        where {{ measure }} > 0
        {{- '\n    union all' if not loop.last }}
    {%- endfor %}

)

select * from identifiers_counted
