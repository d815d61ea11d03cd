{# Fails for a name that no rule knows: it would let nothing pass, and nobody would see why. #}
{% test names_match_keys(model, column_name) %}
    {%- set rest = ["' ' || replace(" ~ column_name ~ ", ' ', '  ') || ' '"] -%}
    {%- for name in match_key_names() -%}
        {%- do rest.append("replace(" ~ rest.pop() ~ ", ' " ~ name ~ " ', '')") -%}
    {%- endfor %}
    select {{ column_name }}
    from {{ model }}
    where trim({{ rest[0] }}) <> ''
{% endtest %}
