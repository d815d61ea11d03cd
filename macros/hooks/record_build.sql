{# Keeps the table build_failures: what of the last runs is not as it should be. The uploader sends nothing while it has
   rows. A node that fails is put in, and a model or seed that was skipped; one that passes or warns or is gone from the
   project is taken out. A run that builds is in it until it ends: one that was killed stays, until a run of all models
   ends. #}
{% macro record_build(results) -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'test', 'seed', 'snapshot', 'retry') -%}
        {%- set table = our_table('build_failures') -%}
        {%- set passed, failed, seen = [], [], [] -%}
        {%- for result in results -%}
            {%- do seen.append(result.node.unique_id) -%}
            {%- if result.status in ('success', 'pass', 'warn', 'no-op') -%}
                {%- do passed.append(result.node.unique_id) -%}
            {%- elif result.status in ('error', 'fail', 'runtime error', 'partial success') -%}
                {%- do failed.append((result.node.unique_id, result.status | string)) -%}
            {%- elif result.status == 'skipped' and result.node.resource_type in ('model', 'seed') -%}
                {%- do failed.append((result.node.unique_id, 'skipped')) -%}
            {%- endif -%}
        {%- endfor -%}
        begin;
        {{ build_failures_table(table) }}
        delete from {{ table }} where {{ outdated_failures(passed, failed, seen) }};
        {%- for unique_id, status in failed %}
        {{ insert_failure(table, unique_id, status) }}
        {%- endfor %}
        commit;
    {%- endif -%}
{%- endmacro %}

{# Before the models: puts the run into build_failures. #}
{% macro begin_build() -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'retry') -%}
        {%- set table = our_table('build_failures') -%}
        begin;
        {{ build_failures_table(table) }}
        {{ insert_failure(table, 'run.' ~ invocation_id, 'unfinished') }}
        commit;
    {%- endif -%}
{%- endmacro %}

{# The table, where there is none. #}
{% macro build_failures_table(table) -%}
    create table if not exists {{ table }} (
        unique_id {{ dbt.type_string() }}, status {{ dbt.type_string() }}, recorded_at timestamp
    );
{%- endmacro %}

{# One row more. #}
{% macro insert_failure(table, unique_id, status) -%}
    insert into {{ table }} values (
        {{ dbt.string_literal(dbt.escape_single_quotes(unique_id)) }}, {{ dbt.string_literal(status) }},
        cast({{ dbt.string_literal(run_started_at.strftime('%Y-%m-%d %H:%M:%S')) }} as timestamp)
    );
{%- endmacro %}

{# Which rows no longer say how things are. The graph of a run does not list unit tests: of them, only a whole build
   can tell which are gone. #}
{% macro outdated_failures(passed, failed, seen) -%}
    {%- set narrowed = [] -%}
    {%- for option in ('select', 'exclude', 'selector', 'resource_types', 'exclude_resource_types', 'models') -%}
        {%- if invocation_args_dict.get(option) -%} {%- do narrowed.append(option) -%} {%- endif -%}
    {%- endfor -%}
    {%- set is_whole_build = flags.WHICH == 'build' and not narrowed -%}
    unique_id in ({{ sql_texts(passed + failed | map('first') | list + ['run.' ~ invocation_id]) }})
        or (split_part(unique_id, '.', 1) not in ('unit_test', 'run') and unique_id not in ({{ sql_texts(graph.nodes) }}))
        {%- if flags.WHICH in ('build', 'run') and is_whole_run() %}
        or unique_id like 'run.%'
        {%- endif %}
        {%- if is_whole_build %}
        or (unique_id like 'unit_test.%' and unique_id not in ({{ sql_texts(seen) }}))
        {%- endif %}
{%- endmacro %}

{# Texts as a list of SQL literals that is never empty. #}
{% macro sql_texts(texts) -%}
    ''
    {%- for text in texts -%} , {{ dbt.string_literal(dbt.escape_single_quotes(text)) }} {%- endfor -%}
{%- endmacro %}
