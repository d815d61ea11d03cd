{%- set normal_forms = {
    'email': normalize_email('raw_value'),
    'phone': normalize_phone('raw_value', *phone_plan()),
    'first_name': normalize_name('raw_value'),
    'last_name': normalize_name('raw_value'),
    'city': normalize_city('raw_value'),
    'region': normalize_region('raw_value', 'region_code'),
    'postal_code': normalize_postal_code('raw_value', 'country_code'),
    'country': normalize_country('raw_value', 'country_code'),
    'date_of_birth': normalize_date_of_birth('raw_value'),
    'gender': normalize_gender('raw_value'),
    'external_id': normalize_external_id('raw_value'),
} -%}
with

listed as (

    select * from {{ ref('int_identifiers__listed') }}

),

recognized as (

    select
        *,
        {{ sha256_of_source('raw_value') }} as source_sha256
    from listed

),

-- sdk_value is what Meta's own library would hash, to compare with; nothing that is sent depends on it.
identifiers_normalized as (

    select
        *,
        case
            when raw_value is null then null
            when source_sha256 is not null
                then nullif(source_sha256, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
            {%- for field, form in normal_forms.items() %}
                when field = '{{ field }}' then {{ form }}
            {%- endfor %}
        end as sent_value,
        case
            when raw_value is null then null
            {%- for field in normal_forms %}
                when field = '{{ field }}' then {{ sdk_form(field, 'raw_value') }}
            {%- endfor %}
        end as sdk_value
    from recognized

)

select * from identifiers_normalized
