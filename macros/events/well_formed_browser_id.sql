{# An fbp or fbc cookie value, case untouched: fb.<digit>.<time in ms>.<id>, with or without the appendix that Meta's
   parameter builder adds. NULL when it is not well-formed.
   https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/fbp-and-fbc, read 2026-09-12 #}
{% macro well_formed_browser_id(cookie) -%}
    case when {{ regexp_matches(cookie, '^fb[.][0-9][.][0-9]{10,13}[.][A-Za-z0-9_.~%+:*=-]+$') }} then {{ cookie }} end
{%- endmacro %}
