-- Longer than usual because a phone number must be at home somewhere before it can be read.
with

listed as (

    select * from {{ ref('stg_raw__suppressions') }}

),

asked as (

    select * from {{ ref('stg_kept__suppression_requests') }}

),

country_names as (

    select * from {{ ref('country_names') }}

),

countries as (

    select * from {{ ref('countries') }}

),

requests as (

    select
        subject_type,
        subject_value,
        country_code,
        requested_at,
        false as is_asked
    from listed
    union all
    select
        subject_type,
        subject_value,
        country_code,
        {{ as_of() }} as requested_at,
        true as is_asked
    from asked

),

located as (

    select
        requests.*,
        {{ selected('countries', phone_plan()) }}
    from requests
    left join country_names on {{ country_key('requests.country_code') }} = country_names.name_key
    left join countries on country_names.country_code = countries.country_code

),

-- The same rules as for the events, so that what a person writes finds what a shop wrote.
hashed as (

    select
        subject_type as kind,
        requested_at,
        is_asked,
        case subject_type
            when 'email' then {{ hashed('email', 'subject_value') }}
            when 'phone' then {{ hashed('phone', 'subject_value', *phone_plan()) }}
            else {{ hashed('external_id', 'subject_value') }}
        end as subject_sha256
    from located

),

suppressions_hashed as (

    select
        kind,
        {{ suppression_key('kind', 'subject_sha256') }} as suppression_sha256,
        requested_at,
        is_asked
    from hashed

)

select * from suppressions_hashed
