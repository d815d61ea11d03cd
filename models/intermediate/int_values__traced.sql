{#- Every raw table that knows people, and the ids that it has. -#}
{%- set tables = {
    'orders': ['customer_id', 'email', 'phone'],
    'sessions': ['customer_id', 'visitor_id'],
    'web_events': ['customer_id', 'visitor_id', 'email', 'phone'],
    'leads': ['customer_id', 'visitor_id', 'email', 'phone'],
    'subscriptions': ['customer_id', 'visitor_id', 'email', 'phone'],
    'app_events': ['customer_id', 'visitor_id', 'email', 'phone'],
    'messages': ['customer_id', 'email', 'phone'],
} -%}
-- Longer than usual because every raw table that knows people is named here.
with

country_names as (

    select * from {{ ref('country_names') }}

),

countries as (

    select * from {{ ref('countries') }}

),

-- As long as nobody asks to be forgotten, nothing is traced.
suppressions as (

    select count(*) as request_count from {{ ref('int_suppressions__unioned') }}

),

written as (
    {% for table, columns in tables.items() %}
        {%- for column in columns %}
            select
                '{{ column | replace('_id', '') }}' as kind,
                {{ column }} as subject_value,
                {{ 'country' if column == 'phone' else 'null' }} as country
            from {{ ref('stg_raw__' ~ table) }}
            where {{ column }} is not null
            union
        {%- endfor %}
    {%- endfor %}
    select
        subject_type as kind,
        subject_id as subject_value,
        null as country
    from {{ ref('stg_raw__consent') }}
    where subject_type in ('customer', 'visitor') and subject_id is not null
    union
    select
        subject_type as kind,
        subject_value,
        country_code as country
    from {{ ref('stg_raw__suppressions') }}
    where subject_type is not null and subject_value is not null

),

located as (

    select
        written.*,
        {{ selected('countries', phone_plan()) }}
    from written
    inner join suppressions on suppressions.request_count > 0
    left join country_names on {{ country_key('written.country') }} = country_names.name_key
    left join countries on country_names.country_code = countries.country_code

),

hashed as (

    select
        kind,
        subject_value,
        case kind
            when 'email' then {{ hashed('email', 'subject_value') }}
            when 'phone' then {{ hashed('phone', 'subject_value', *phone_plan()) }}
            else {{ hashed('external_id', 'subject_value') }}
        end as subject_sha256
    from located

),

values_traced as (

    select
        kind,
        subject_value,
        -- As int_identities__mentioned names people.
        kind || ':' || case when kind = 'email' then subject_sha256 else subject_value end as node,
        {{ suppression_key('kind', 'subject_sha256') }} as suppression_sha256
    from hashed
    where subject_sha256 is not null

)

select * from values_traced
