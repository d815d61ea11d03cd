{# The moment that the run calls now, in UTC and in a strftime format: the variable as_of, else the environment variable
   UPLOADER_NOW, else the run's start. Any ISO 8601 text; without an offset it is UTC. #}
{% macro as_of_text(format) -%}
    {% set given = var('as_of', '') or env_var('UPLOADER_NOW', '') -%}
    {% set moment = modules.datetime.datetime.fromisoformat(given | string) if given else run_started_at -%}
    {{ (moment.astimezone(modules.pytz.utc) if moment.tzinfo else moment).strftime(format) }}
{%- endmacro %}
