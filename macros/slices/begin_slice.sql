{# Before any model: finds what changed since the last whole build, and everything that goes with it. These rows are the
   slice, which the run builds anew; all others stay as they are. Without a build to go on from, or when most rows
   changed, there is no slice, and everything is built.
   build_slice has the slice, build_state what the last run was made of, build_records what it saw of each raw record,
   build_links which records go together, build_wakes the records that a later moment changes, build_seeds what the
   seeds were loaded from. #}
{% macro begin_slice() -%}
    {%- if execute and can_slice() -%}
        {#- Also before `dbt test` alone: a run that was killed leaves its slice, and the tests would see no more. -#}
        {%- do run_query(slice_tables()) -%}
        {%- if flags.WHICH in ('build', 'run', 'retry') -%} {%- do begin_run() -%} {%- endif -%}
        {#- dbt takes back what a hook does whose own text is empty. -#}
        {%- do adapter.commit() -%}
    {%- endif -%}
{%- endmacro %}

{# The same for a command that builds. Until it has ended well, there is nothing to go on from. #}
{% macro begin_run() -%}
    {%- set fingerprint = build_fingerprint() -%}
    {%- set goes_on = is_whole_run() and goes_on_from(fingerprint) and not brings_other_seeds() -%}
    {%- do run_query('delete from ' ~ our_table('build_state')) -%}
    {%- if is_whole_run() and is_large() -%}
        {%- do run_query(build_seen()) -%}
        {%- if goes_on -%} {%- do find_slice() -%} {%- endif -%}
        {%- if not is_slice() -%}
            {%- do run_query('delete from ' ~ our_table('build_links')) -%}
            {%- do run_query(insert_links(our_table('build_links'), 'build_seen')) -%}
        {%- endif -%}
        {%- do run_query(
            'insert into ' ~ our_table('build_state') ~ ' values (' ~ quoted(fingerprint) ~ ', ' ~ as_of() ~ ', false)'
        ) -%}
    {%- endif -%}
{%- endmacro %}

{# The tables of the slice, the slice itself empty. #}
{% macro slice_tables() -%}
    {%- set record = hash_of(['1']) ~ ' as record' -%}
    {%- for name, columns in {
        'build_state': null_of('text') ~ ' as fingerprint, ' ~ as_of() ~ ' as as_of, false as has_ended',
        'build_seeds': null_of('text') ~ ' as seed, ' ~ null_of('text') ~ ' as signature',
        'build_slice': record,
        'build_records': record ~ ', sum(' ~ hash_of(['1']) ~ ') as content',
        'build_links': record ~ ', ' ~ hash_of(['1']) ~ ' as linked',
        'build_wakes': record ~ ', ' ~ as_of() ~ ' as wakes_at',
    }.items() %}
    create table if not exists {{ our_table(name) }} as select * from (select {{ columns }}) as columns where 1 = 0;
    {%- endfor %}
    delete from {{ our_table('build_slice') }};
{%- endmacro %}

{# Whether all models run; tests may be left out. #}
{% macro is_whole_run() %}
    {% set options = invocation_args_dict %}
    {% set narrowed = options.get('select') or options.get('exclude') or options.get('selector') or options.get('models') %}
    {% set only, without = options.get('resource_types') or [], options.get('exclude_resource_types') or [] %}
    {{ return(flags.WHICH != 'retry' and not narrowed and not ('model' in without or (only and 'model' not in only))) }}
{% endmacro %}

{# Whether the raw tables have so many rows that it pays to find out what changed; else everything is built. #}
{% macro is_large() %}
    {% set counts = [] %}
    {% for table in raw_keys() if has_raw_column(table) %}
        {% do counts.append(one_value('select count(*) from ' ~ source('raw', table))) %}
    {% endfor %}
    {{ return(counts | sum >= var('slice_from_rows') | int) }}
{% endmacro %}

{# Whether the last run built everything from the same SQL, seeds and kinds of columns, at an earlier moment; its tables
   are there, and nothing has failed since: a test that fails must see all rows until it passes. #}
{% macro goes_on_from(fingerprint) %}
    {% for node in graph.nodes.values() if node.config.materialized == 'incremental' %}
        {% if load_relation(our_table(node.name)) is none %}{{ return(false) }}{% endif %}
    {% endfor %}
    {% set failures = load_relation(our_table('build_failures')) %}
    {% if flags.FULL_REFRESH or failures is none or one_value('select count(*) from ' ~ failures) > 0 %}
        {{ return(false) }}
    {% endif %}
    {{ return(one_value(
        'select count(*) from ' ~ our_table('build_state') ~ ' where has_ended and as_of <= ' ~ as_of()
        ~ ' and fingerprint = ' ~ quoted(fingerprint)
    ) > 0) }}
{% endmacro %}

{# What every raw row says, summed up by record. #}
{% macro build_seen() -%}
    create or replace table {{ our_table('build_seen') }} as
    {%- for table in raw_keys() if has_raw_column(table) %}
    select
        {{ raw_record(table) }} as record,
        sum({{ hash_of(raw_columns_read(table)) }}) as content
    from {{ source('raw', table) }}
    group by 1
    union all
    {%- endfor %}
    {%- set log = ['destination_id', 'event_name', 'event_id', 'state', 'reason', 'first_intent_at', 'updated_at'] %}
    select
        {{ hash_of(["'sent_log'", 'event_name', 'event_id']) }} as record,
        sum({{ hash_of(log) }}) as content
    from {{ sent_log_table() }}
    group by 1
{%- endmacro %}

{# The columns of a raw table that the models read, as the warehouse spells them. #}
{% macro raw_columns_read(table) %}
    {% set contract, names = raw_contract()[table], [] %}
    {% for column in contract['required'] | list + contract['optional'] | list if has_raw_column(table, column) %}
        {% do names.append(raw_name(table, column)) %}
    {% endfor %}
    {{ return(names) }}
{% endmacro %}

{# Adds the links of all raw rows; where are_new, of those alone whose records chosen has, with what only new ones need. #}
{% macro insert_links(target, chosen, are_new=false) -%}
    insert into {{ target }}
    select record, linked from (
    {%- for table in raw_keys() if has_raw_column(table) %}
        select {{ raw_record(table) }} as record, unnest({{ list_of(
            raw_links(table) + (new_raw_links(table) if are_new else []) + ['null']
        ) }}) as linked
        from {{ source('raw', table) }}
        {%- if are_new %}
        where {{ raw_record(table) }} in (select record from {{ our_table(chosen) }})
        {%- endif %}
        {{- ' union all' if not loop.last }}
    {%- endfor %}
    ) as links
    where linked is not null
{%- endmacro %}

{# The sent log, as it was published; no rows before there is one. #}
{% macro sent_log_table() -%}
    {{ kept_table('sent_log', {
        'destination_id': 'text', 'event_name': 'text', 'event_id': 'text', 'state': 'text', 'reason': 'text',
        'first_intent_at': 'time', 'updated_at': 'time',
    }) }}
{%- endmacro %}
