{# A click id from the landing URL of the event's own record, else of its session. #}
{% macro click_id(name) -%}
    coalesce({{ url_parameter('landing_url', name) }}, {{ url_parameter('session_landing_url', name) }})
{%- endmacro %}
