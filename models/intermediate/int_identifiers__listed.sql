{#- Field of the report -> column of an event, and what else decides on its normal form. -#}
{%- set context = {'phone': ['country_code'], 'postal_code': ['country_code'], 'country': ['country_code'],
    'region': ['region_code']} -%}
{%- set fields = ['email', 'phone', 'first_name', 'last_name', 'city', 'region', 'postal_code', 'country',
    'date_of_birth', 'gender', 'external_id'] -%}
with

events as (

    select * from {{ slice_of('int_events__keyed') }}

),

identified as (

    select * from {{ slice_of('int_events__identified') }}

),

countries as (

    select * from {{ ref('countries') }}

),

placed as (

    select
        {{ selected('events', ['source_table'] + fields[:-1]) }},
        events.customer_id as external_id,
        identified.country_code,
        identified.region_code
    from events
    left join identified on events.event_key = identified.event_key

),

-- Each value once: most of them come again and again.
counted as (
    {% for field in fields %}
        {%- set needed = context.get(field, []) %}
        select
            source_table,
            '{{ field }}' as field,
            {{ field }} as raw_value,
            {% for column in ['country_code', 'region_code'] -%}
                {{ column if column in needed else null_of('text') }} as {{ column }},
            {% endfor -%}
            count(*) as event_count
        from placed
        group by {{ (['source_table', field] + needed) | join(', ') }}
        {{- '\n    union all' if not loop.last }}
    {%- endfor %}

),

identifiers_listed as (

    select
        counted.*,
        {{ selected('countries', phone_plan()) }}
    from counted
    left join countries on counted.country_code = countries.country_code

)

select * from identifiers_listed
