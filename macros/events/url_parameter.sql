{# A parameter of a URL's query as it stands there, case untouched; of several the first. Only what a click id can be
   made of is taken: an id with anything else in it was damaged on the way. #}
{% macro url_parameter(url, name) -%}
    {%- set query = "'&' || " ~ regexp_first(url, '^[^?#]*[?]([^#]+)') -%}
    {#- Most URLs do not have it, which is quickly seen. -#}
    case when {{ url }} like '%{{ name }}=%' then {{ regexp_first(query, '&' ~ name ~ '=([A-Za-z0-9_.~%+:*=-]+)(?:&|$)') }} end
{%- endmacro %}
