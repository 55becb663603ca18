/* Kommo (amoCRM): a click on a phone opens the chat with this client. The service is asked by
   $authorizedAjax, to which Kommo adds a token that says who the user is. */
define([], function () {
  return function () {
    var widget = this;
    var service = "https://chat.example";

    function message(name) {
      return widget.i18n('messages')[name];
    }

    function show(tab, text) {
      tab.document.title = text;
      tab.document.body.textContent = text;
    }

    // What the service says of a refusal is for the user to read.
    function detail(request) {
      var problem = request && request.responseJSON;
      return (problem && problem.detail) || message('failed');
    }

    // Nothing but the service's own links is followed.
    function lead(tab, answer) {
      if (answer && typeof answer.url === 'string' && answer.url.indexOf(service + '/') === 0) {
        tab.location.replace(answer.url);
      } else {
        show(tab, message('failed'));
      }
    }

    function openChat(data) {
      // At once, while the click counts: browsers block a tab that comes later.
      var tab = window.open('', '_blank');
      if (!tab) {
        window.alert(message('no_tab'));
        return;
      }
      tab.opener = null;
      if (!data || !data.value) {
        show(tab, message('no_phone'));
        return;
      }
      show(tab, message('opening'));
      widget.$authorizedAjax({
        url: service + '/connect/kommo',
        data: { phone: String(data.value) },
        dataType: 'json'
      }).done(function (answer) {
        lead(tab, answer);
      }).fail(function (request) {
        show(tab, detail(request));
      });
    }

    function done() {
      return true;
    }

    this.callbacks = {
      render: done,
      init: function () {
        widget.add_action('phone', openChat);
        return true;
      },
      bind_actions: done,
      settings: done,
      onSave: done,
      destroy: done
    };
    return this;
  };
});
