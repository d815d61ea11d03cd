{# Fails for a name that no rule knows: it would let nothing pass, and nobody would see why. #}
{% test names_match_keys(model, column_name) %}
    select {{ column_name }}
    from {{ model }}
    where trim({{ unknown_match_keys(column_name) }}) <> ''
{% endtest %}
