{# What an app event says of the app and the device, as the list of 16 texts that the platform calls extinfo, in its
   order; an empty text where nothing is known, NULL where not even the system is.
   https://developers.facebook.com/documentation/ads-commerce/conversions-api/app-events, read 2026-09-12 #}
{% macro app_info() -%}
    {%- set version = "case platform when 'android' then 'a2' when 'ios' then 'i2' end" -%}
    {%- set texts = [version] -%}
    {%- for column in [
        'package_name', 'app_version_short', 'app_version_long', 'os_version', 'device_model', 'locale',
        'timezone_abbreviation', 'carrier', 'screen_width', 'screen_height', 'screen_density', 'cpu_cores',
        'storage_gb', 'free_storage_gb', 'device_timezone',
    ] -%}
        {%- do texts.append("coalesce(" ~ column ~ ", '')") -%}
    {%- endfor -%}
    case when platform in ('android', 'ios') then {{ list_of(texts) }} end
{%- endmacro %}
