{# Whether a model is built from nothing; takes the place of dbt's own macro. One that is built in slices is, unless the
   run is a slice. #}
{% macro should_full_refresh() %}
    {% if config.get('incremental_strategy') == 'slice' %}
        {{ return(not is_slice()) }}
    {% endif %}
    {% set configured = config.get('full_refresh') %}
    {{ return(flags.FULL_REFRESH if configured is none else configured) }}
{% endmacro %}

{# How a slice gets into its table, as dbt asks for it: what the table has of it goes, what was built takes its place.
   What a model read from outside of the slice is not complete, and is left out. #}
{% macro get_incremental_slice_sql(arguments) %}
    {%- set columns = arguments['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    {%- set condition = in_slice(model.config.unique_key) -%}
    delete from {{ arguments['target_relation'] }} where {{ condition }};
    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arguments['temp_relation'] }} where {{ condition }};
{% endmacro %}
