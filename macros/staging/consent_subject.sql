{# The kind of id that a decision is recorded under, in the words that the models ask for. #}
{% macro consent_subject(subject_type) -%}
    case lower({{ subject_type }})
        when 'customer_id' then 'customer'
        when 'visitor_id' then 'visitor'
        else lower({{ subject_type }})
    end
{%- endmacro %}
