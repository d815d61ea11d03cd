{# The fbc of an event. A click id in the landing URL wins over a stored cookie with another one; a cookie that holds
   the same one stays, because it has the time of the click. Without a session's time none is made up.
   https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/fbp-and-fbc, read 2026-09-12 #}
{% macro facebook_click(cookie, click_id, session_started_at) -%}
    {%- set stored = well_formed_browser_id(cookie) -%}
    {%- set stored_id = regexp_first(cookie, '^fb[.][0-9][.][0-9]{10,13}[.](.+)$') -%}
    {#- The appendix: a dot and 2 or 8 characters. -#}
    {%- set rest = 'substr(' ~ stored_id ~ ', length(' ~ click_id ~ ') + 1)' -%}
    case
        when {{ click_id }} is null or {{ session_started_at }} is null then {{ stored }}
        when {{ stored }} is not null
            and substr({{ stored_id }}, 1, length({{ click_id }})) = {{ click_id }}
            and {{ regexp_matches(rest, '^(?:[.](?:[A-Za-z0-9_-]{2}|[A-Za-z0-9_-]{8}))?$') }} then {{ stored }}
        else 'fb.1.' || cast({{ epoch_ms(session_started_at) }} as {{ dbt.type_string() }}) || '.' || {{ click_id }}
    end
{%- endmacro %}
