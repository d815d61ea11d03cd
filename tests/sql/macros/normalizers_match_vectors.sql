-- Each raw identifier hashes to what the seed identifier_vectors says, and has the normal form that it says.
-- A raw value that already is a hash has a hash and no normal form.
with

vectors as (
    select * from {{ ref('identifier_vectors') }}
),

country_names as (
    select * from {{ ref('country_names') }}
),

countries as (
    select * from {{ ref('countries') }}
),

regions as (
    select * from {{ ref('regions') }}
),

placed as (
    select
        vectors.*,
        country_names.country_code,
        {{ selected('countries', phone_plan()) }},
        regions.region_code
    from vectors
    left join country_names
        on country_names.name_key = {{ country_key("case when kind = 'country' then raw else country end") }}
    left join countries on country_names.country_code = countries.country_code
    left join regions
        on
            country_names.country_code = regions.country_code
            and regions.name_key = {{ name_key('vectors.raw') }}
),

found as (
    select
        kind,
        raw,
        country,
        normalized,
        sha256,
        case kind
            when 'city' then {{ normalize_city('raw') }}
            when 'country' then {{ normalize_country('raw', 'country_code') }}
            when 'date_of_birth' then {{ normalize_date_of_birth('raw') }}
            when 'email' then {{ normalize_email('raw') }}
            when 'email_gmail' then {{ normalize_email_gmail('raw') }}
            when 'email_microsoft' then {{ normalize_email_microsoft('raw') }}
            when 'email_reddit' then {{ normalize_email_reddit('raw') }}
            when 'external_id' then {{ normalize_external_id('raw') }}
            when 'first_name' then {{ normalize_name('raw') }}
            when 'gender' then {{ normalize_gender('raw') }}
            when 'last_name' then {{ normalize_name('raw') }}
            when 'phone' then {{ normalize_phone('raw', *phone_plan()) }}
            when 'phone_e164' then {{ normalize_phone_e164('raw', *phone_plan()) }}
            when 'postal_code' then {{ normalize_postal_code('raw', 'country_code') }}
            when 'region' then {{ normalize_region('raw', 'region_code') }}
        end as found_normalized,
        case kind
            when 'city' then {{ hashed('city', 'raw') }}
            when 'country' then {{ hashed('country', 'raw', 'country_code') }}
            when 'date_of_birth' then {{ hashed('date_of_birth', 'raw') }}
            when 'email' then {{ hashed('email', 'raw') }}
            when 'email_gmail' then {{ hashed('email_gmail', 'raw') }}
            when 'email_microsoft' then {{ hashed('email_microsoft', 'raw') }}
            when 'email_reddit' then {{ hashed('email_reddit', 'raw') }}
            when 'external_id' then {{ hashed('external_id', 'raw') }}
            when 'first_name' then {{ hashed('name', 'raw') }}
            when 'gender' then {{ hashed('gender', 'raw') }}
            when 'last_name' then {{ hashed('name', 'raw') }}
            when 'phone' then {{ hashed('phone', 'raw', *phone_plan()) }}
            when 'phone_e164' then {{ hashed('phone_e164', 'raw', *phone_plan()) }}
            when 'postal_code' then {{ hashed('postal_code', 'raw', 'country_code') }}
            when 'region' then {{ hashed('region', 'raw', 'region_code') }}
        end as found_sha256
    from placed
),

normalizers_match_vectors as (
    select *
    from found
    where
        found_sha256 is distinct from sha256
        or ((normalized is not null or sha256 is null) and found_normalized is distinct from normalized)
)

select * from normalizers_match_vectors
