{# The words for a stage, outside of a CRM, by the event that they mean. Case, blanks, underscores and dashes do not
   matter: Signed up is signed_up. They stand in one list, so that no word means two events, and so that a word that
   is in none can be named. An event that is added here needs its model beside int_events__lead. #}
{% macro lead_stages() %}
    {{ return({
        'Lead': ['lead', 'new', 'new_lead', 'created'],
        'CompleteRegistration': [
            'registered', 'registration', 'complete_registration', 'registration_completed', 'signed_up', 'sign_up',
        ],
        'Contact': ['contact', 'contacted'],
        'Schedule': ['schedule', 'scheduled', 'appointment', 'booked'],
        'SubmitApplication': ['applied', 'application', 'submit_application', 'application_submitted'],
    }) }}
{% endmacro %}

{# The event that a stage's word means; NULL for a word that is not in the list. #}
{% macro lead_event(stage) -%}
    case lower({{ regexp_replace_all(stage, '[' ~ blank_characters() ~ '_-]', '') }})
        {%- for event_name, words in lead_stages().items() %}
        {%- for word in words %}
        when '{{ word | replace("_", "") }}' then '{{ event_name }}'
        {%- endfor %}
        {%- endfor %}
    end
{%- endmacro %}
