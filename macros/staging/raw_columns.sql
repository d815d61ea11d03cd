{# The columns of a raw table as the warehouse has them, by their lower-case names: the name as the warehouse spells it,
   quoted, its type, and whether it holds floats; none when there is no such table.
   Each table is looked up once in a run: `graph` is the one mapping that all models of a run share. A unit test has
   rows in place of raw tables, and no schema. #}
{% macro raw_columns(table) %}
    {% set source_relation = source('raw', table) %}
    {% set memo = graph.setdefault('raw_columns', {}) %}
    {% if source_relation | string not in memo %}
        {% set relation = load_relation(source_relation) if source_relation.schema else none %}
        {% set columns = {} %}
        {% for column in (adapter.get_columns_in_relation(relation) if relation else []) %}
            {% do columns.update({column.name | lower: {
                'name': adapter.quote(column.name), 'is_float': column.is_float(), 'type': column.data_type | lower,
            }}) %}
        {% endfor %}
        {% do memo.update({source_relation | string: columns if relation else none}) %}
    {% endif %}
    {{ return(memo[source_relation | string]) }}
{% endmacro %}
