{# A parameter of a URL's query as it stands there, case untouched; of several the first. Only what a click id can be
   made of is taken: an id with anything else in it was damaged on the way. Neither is a placeholder in braces that
   nobody filled in, nor for msclkid anything but a UUID: it would count as a match key, and not leave. #}
{% macro url_parameter(url, name) -%}
    {%- set uuid = '[0-9A-Fa-f]{32}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}' -%}
    {%- set form = {'msclkid': uuid}.get(name, '[A-Za-z0-9_.~%+:*=-]+') -%}
    {%- set query = "'&' || " ~ regexp_first(url, '^[^?#]*[?]([^#]+)') -%}
    {#- Most URLs do not have it, which is quickly seen. -#}
    case when {{ url }} like '%{{ name }}=%' and not {{ regexp_matches(url, '[?&]' ~ name ~ '=%7[Bb]') }}
        then {{ regexp_first(query, '&' ~ name ~ '=(' ~ form ~ ')(?:&|$)') }} end
{%- endmacro %}
