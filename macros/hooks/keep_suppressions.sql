{# Makes the two tables of `uploader forget` where there are none, for no build drops them. suppressions has the hashes of
   those who are to be forgotten. suppression_requests is empty whenever anybody looks: the command writes a request
   into it, reads what the models make of it, and takes it back, all in one transaction. #}
{% macro keep_suppressions() -%}
    {%- if execute -%}
        {%- set text = dbt.type_string() -%}
        create table if not exists {{ api.Relation.create(target.database, target.schema, 'suppressions') }} (
            kind {{ text }}, suppression_sha256 {{ text }}, requested_at timestamp
        );
        create table if not exists {{ api.Relation.create(target.database, target.schema, 'suppression_requests') }} (
            subject_type {{ text }}, subject_value {{ text }}, country_code {{ text }}
        )
    {%- endif -%}
{%- endmacro %}
