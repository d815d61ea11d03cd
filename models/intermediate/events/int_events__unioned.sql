-- The list of events, and nothing else. A new event is a model in this folder and its name here.
{%- set events = [
    ref('int_events__page_view'),
    ref('int_events__view_content'),
    ref('int_events__search'),
    ref('int_events__add_to_cart'),
    ref('int_events__add_to_wishlist'),
    ref('int_events__initiate_checkout'),
    ref('int_events__add_payment_info'),
    ref('int_events__purchase'),
    ref('int_events__lead'),
    ref('int_events__complete_registration'),
    ref('int_events__contact'),
    ref('int_events__schedule'),
    ref('int_events__submit_application'),
    ref('int_events__crm_stage'),
    ref('int_events__start_trial'),
    ref('int_events__subscribe'),
    ref('int_events__renewal'),
    ref('int_events__app_activity'),
    ref('int_events__messaged'),
] %}

with

events_unioned as (
    {% for event in events %}
        select
            {{ event_columns() | list | join(',\n            ') }}
        from {{ event }}
        {{- '\n    union all' if not loop.last }}
    {%- endfor %}

)

select * from events_unioned
