{# The standard event that a name only misspells: in case, blanks, underscores, dashes and dots, as a plural, or in
   British spelling. None for a standard event itself, and for a name of the shop's own. #}
{% macro misspelled_event(name) %}
    {% set found = namespace(standard=none) %}
    {% for standard in standard_events() if name not in standard_events() %}
        {% if event_name_spelling(standard) == event_name_spelling(name) %}
            {% set found.standard = standard %}
        {% endif %}
    {% endfor %}
    {{ return(found.standard) }}
{% endmacro %}

{# What names have in common that differ in spelling alone. #}
{% macro event_name_spelling(name) %}
    {% set plain = (name | string | lower).split() | join('') | replace('_', '') | replace('-', '') | replace('.', '') %}
    {% set american = plain | replace('cancelled', 'canceled') | replace('customise', 'customize') %}
    {{ return(american[:-1] if american.endswith('s') else american) }}
{% endmacro %}

{# What is said about a misspelled name, and where it stands. #}
{% macro misspelling(name, place) %}
    {% set standard = misspelled_event(name) %}
    {{ return(
        "The event name '" ~ name ~ "' in " ~ place ~ " differs from the standard event '" ~ standard
        ~ "' in its spelling alone: platforms would count it apart. Write '" ~ standard ~ "'."
    ) }}
{% endmacro %}
