{# The names of events that platforms know, each with its spelling: those of Meta's pixel, and those of conversations.
   A shop's own name must not be one of them in another spelling: it would be counted apart, as a custom event.
   https://developers.facebook.com/documentation/meta-pixel/reference and
   https://developers.facebook.com/documentation/ads-commerce/conversions-api/business-messaging, read 2026-09-12 #}
{% macro standard_events() %}
    {{ return([
        'AddPaymentInfo', 'AddToCart', 'AddToWishlist', 'CompleteRegistration', 'Contact', 'CustomizeProduct',
        'Donate', 'FindLocation', 'InitiateCheckout', 'Lead', 'PageView', 'Purchase', 'Schedule', 'Search',
        'StartTrial', 'SubmitApplication', 'Subscribe', 'ViewContent',
    ] + messaging_events()) }}
{% endmacro %}

{# The names that Meta takes for conversions in a conversation and does not share with its pixel. #}
{% macro messaging_events() %}
    {{ return([
        'CartAbandoned', 'LeadSubmitted', 'OrderCanceled', 'OrderCreated', 'OrderDelivered', 'OrderReturned',
        'OrderShipped', 'QualifiedLead', 'RatingProvided', 'ReviewProvided',
    ]) }}
{% endmacro %}
