{# The rows of a model that this run builds anew: all of them, unless the run is a slice. Models that are built in slices
   read one another through this; what unique_key says of them in dbt_project.yml tells which rows those are. #}
{% macro slice_of(model_name) -%}
    {%- set relation = ref(model_name) -%}
    {#- The graph of a unit test does not have every model. -#}
    {{- sliced(relation, slice_by_of(model_name) if execute and relation.schema) -}}
{%- endmacro %}

{# The same for hooks, in which dbt knows no ref(). #}
{% macro our_slice(model_name) -%}
    {{- sliced(our_table(model_name), slice_by_of(model_name)) -}}
{%- endmacro %}

{# What a model's rows are known by, as dbt_project.yml has it. #}
{% macro slice_by_of(model_name) %}
    {{ return(graph.nodes['model.conversions.' ~ model_name].config.unique_key if execute) }}
{% endmacro %}

{# A relation to select from, with the rows of the slice alone; slice_by: what they are known by. Of a table its rows are
   found first, and then all columns read of these alone. A table is made once, and it is known whether in a slice; a view
   asks each time that it is read. A unit test, which has rows in place of a relation with a schema, gets all of them. #}
{% macro sliced(relation, slice_by) -%}
    {%- if not (execute and relation.schema and slice_by and can_slice()) -%}
        {{ relation }}
    {%- elif (model and model.config.materialized == 'view') or is_slice() -%}
        {%- set condition = in_slice(slice_by) -%}
        {%- if has_row_numbers(relation) -%}
            {%- set condition = 'rowid in (select rowid from ' ~ relation ~ ' where ' ~ condition ~ ')' -%}
        {%- endif -%}
        (select * from {{ relation }} where {{ condition }})
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}

{# Whether DuckDB numbers the rows of a relation: not those of a view, and a column of that name goes before. #}
{% macro has_row_numbers(relation) %}
    {% set found = load_relation(relation) %}
    {% set names = adapter.get_columns_in_relation(found) | map(attribute='name') if found is not none else [] %}
    {{ return(found is not none and found.type == 'table' and 'rowid' not in names | map('lower')) }}
{% endmacro %}

{# Whether a row belongs to what is built anew. Without a slice every row does: so a view means the same to whoever asks
   it between two runs. slice_by: SQL of the values that the record is hashed from, or of the hash. #}
{% macro in_slice(slice_by, is_hash=false) -%}
    {%- set slice = our_table('build_slice') -%}
    {%- set record = slice_by if is_hash else hash_of([slice_by]) -%}
    ((select count(*) from {{ slice }}) = 0 or {{ record }} in (select record from {{ slice }}))
{%- endmacro %}

{# Whether this run is a slice. `dbt compile` may come before any run has made the table. #}
{% macro is_slice() %}
    {% if execute and can_slice() and load_relation(our_table('build_slice')) is not none %}
        {{ return(one_value('select count(*) from ' ~ our_table('build_slice')) > 0) }}
    {% endif %}
    {{ return(false) }}
{% endmacro %}

{# A table or view of the models' own schema. #}
{% macro our_table(name) %}
    {{ return(api.Relation.create(target.database, target.schema, name)) }}
{% endmacro %}

{# What a query with one row and one column gives. #}
{% macro one_value(query) %}
    {{ return(run_query(query).columns[0].values()[0]) }}
{% endmacro %}
