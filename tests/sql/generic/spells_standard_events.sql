{# Passes when no value is a standard event in another spelling. Else the build stops with the right names:
   a test that fails would only say how many. #}
{% test spells_standard_events(model, column_name, file) %}

{% if execute and load_relation(model) %}
    {% set wrong = [] %}
    {% for row in run_query('select distinct ' ~ column_name ~ ' from ' ~ model ~ ' order by 1').rows %}
        {% if row[0] and misspelled_event(row[0]) %}
            {% do wrong.append(misspelling(row[0], file)) %}
        {% endif %}
    {% endfor %}
    {% if wrong %}
        {{ exceptions.raise_compiler_error(wrong | join('\n')) }}
    {% endif %}
{% endif %}

select {{ column_name }}
from {{ model }}
where 1 = 0

{% endtest %}
