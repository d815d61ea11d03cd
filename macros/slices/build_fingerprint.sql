{# What all tables are made by, as one text: models, macros, the rows of the seeds, vars, the columns of the raw tables,
   who is to be forgotten. When it is not what it was, everything is built anew. #}
{% macro build_fingerprint() %}
    {% set parts = [dbt_version, one_value('select version()'), fingerprint_of_data()] %}
    {% for name in project_vars() | sort %}
        {% do parts.append(name ~ '=' ~ var(name)) %}
    {% endfor %}
    {% for node in graph.nodes.values() | sort(attribute='unique_id') if node.resource_type == 'model' %}
        {% do parts.append(node.unique_id ~ node.checksum.checksum ~ node.raw_code ~ node.config.unique_key
            ~ node.config.materialized) %}
    {% endfor %}
    {% for name, macro in context['conversions'].items() | sort(attribute='0') %}
        {% do parts.append(name ~ macro.macro.macro_sql) %}
    {% endfor %}
    {{ return(local_md5(parts | join('\n'))) }}
{% endmacro %}

{# Whether this run loads a seed that is not what its table was loaded from: its file, or what is made of it. The models
   may depend on its rows, which nobody knows yet. #}
{% macro brings_other_seeds() %}
    {% set only, without = invocation_args_dict.get('resource_types') or [], invocation_args_dict.get('exclude_resource_types') or [] %}
    {% if flags.WHICH != 'build' or 'seed' in without or (only and 'seed' not in only) %}{{ return(false) }}{% endif %}
    {% for seed in graph.nodes.values() if seed.resource_type == 'seed' %}
        {% if one_value('select count(*) from ' ~ our_table('build_seeds') ~ ' where ' ~ is_loaded_seed(seed)) == 0 %}
            {{ return(true) }}
        {% endif %}
    {% endfor %}
    {{ return(false) }}
{% endmacro %}

{# Writes down what the seeds were loaded from that this run loaded. #}
{% macro remember_seeds(results) %}
    {% for result in results if result.node.resource_type == 'seed' and result.status == 'success' %}
        {% set seed = graph.nodes[result.node.unique_id] %}
        {% do run_query(
            'delete from ' ~ our_table('build_seeds') ~ ' where seed = ' ~ quoted(seed.name) ~ ';'
            ~ 'insert into ' ~ our_table('build_seeds') ~ ' values (' ~ quoted(seed.name) ~ ', '
            ~ quoted(seed_signature(seed)) ~ ')'
        ) %}
    {% endfor %}
{% endmacro %}

{# Whether a row of build_seeds says that a seed's table is what would be loaded. #}
{% macro is_loaded_seed(seed) -%}
    seed = {{ quoted(seed.name) }} and signature = {{ quoted(seed_signature(seed)) }}
{%- endmacro %}

{# What makes a seed's table: the file, the types of its columns, and the destinations that a hook switches on in it. #}
{% macro seed_signature(seed) %}
    {{ return(local_md5([
        seed.checksum.checksum, seed.config.column_types, seed.config.delimiter, var('enabled_destinations'),
    ] | join('\n'))) }}
{% endmacro %}

{# The vars of dbt_project.yml, but as_of. #}
{% macro project_vars() %}
    {{ return([
        'raw_schema', 'value_basis', 'subtract_refunds', 'segment_customers', 'renewal_event_name', 'crm_name',
        'require_payment', 'session_lookback_days', 'pixel_duplicate_minutes', 'identity_max_links',
        'identity_max_names', 'identity_max_visitors', 'identity_rounds', 'enabled_destinations', 'slice_from_rows',
    ]) }}
{% endmacro %}

{# The same of tables that every event may depend on: their rows, or whether they have any; and of the raw tables, which
   columns they have. #}
{% macro fingerprint_of_data() %}
    {% set parts, seeds = [], graph.nodes.values() | selectattr('resource_type', 'eq', 'seed') %}
    {% for table in raw_contract() %}
        {% do parts.append(table ~ raw_columns(table)) %}
    {% endfor %}
    {% if has_raw_column('payments') %}
        {% do parts.append(one_value('select count(*) > 0 from ' ~ source('raw', 'payments'))) %}
    {% endif %}
    {% set relations = [source('kept', 'suppressions')] %}
    {% if has_raw_column('suppressions') %}{% do relations.append(source('raw', 'suppressions')) %}{% endif %}
    {% for seed in seeds %}
        {% set relation = load_relation(api.Relation.create(seed.database, seed.schema, seed.alias)) %}
        {% if relation %}{% do relations.append(relation) %}{% endif %}
    {% endfor %}
    {% for relation in relations %}
        {% set names = adapter.get_columns_in_relation(relation) | map(attribute='quoted') | list %}
        {% do parts.append(relation ~ one_value('select sum(' ~ hash_of(names) ~ ') from ' ~ relation)) %}
    {% endfor %}
    {{ return(parts | join('\n')) }}
{% endmacro %}
