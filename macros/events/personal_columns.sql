{# The columns of int_events__identified that tell who a person is: what a person's erasure takes from the marts. #}
{% macro personal_columns() %}
    {{ return(click_ids() | list + [
        'email_sha256', 'email_gmail_sha256', 'email_microsoft_sha256', 'email_reddit_sha256', 'phone_digits_sha256',
        'phone_e164_sha256', 'first_name_sha256', 'last_name_sha256', 'city_sha256', 'region_sha256',
        'postal_code_sha256', 'country_sha256', 'date_of_birth_sha256', 'gender_sha256', 'external_id_sha256',
        'client_ip', 'user_agent', 'fbp', 'fbc', 'ga_client_id', 'order_id', 'subscription_id', 'lead_id', 'search_string',
        'event_source_url', 'referrer_url', 'app_info', 'madid', 'anon_id', 'vendor_id', 'install_referrer',
        'installer_package', 'campaign_ids', 'page_scoped_user_id', 'ctwa_clid', 'ig_sid', 'region_code',
    ]) }}
{% endmacro %}

{# Columns as a select list, NULL where a condition does not hold. #}
{% macro kept_where(condition, table, columns) -%}
    {%- set kept = [] -%}
    {%- for column in columns -%}
        {%- do kept.append('case when ' ~ condition ~ ' then ' ~ table ~ '.' ~ column ~ ' end as ' ~ column) -%}
    {%- endfor -%}
    {{ kept | join(',\n        ') }}
{%- endmacro %}
