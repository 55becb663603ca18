// 1C:Enterprise / BAS: for the module of a form with a phone, such as that of Контрагенты, and with
// a command "ОткрытьЧат". What sign.bsl has goes into a common module OpenChat (server, not
// callable from clients); the secret into a constant OpenChatСекрет, which agents' roles may not
// read.

#Область ОбработчикиКомандФормы

&НаКлиенте
Процедура ОткрытьЧат(Команда)

    Адрес = АдресЧата(Объект.Телефон);
    Если ПустаяСтрока(Адрес) Тогда
        ПоказатьПредупреждение(, НСтр("uk = 'Тут немає телефону.'; en = 'There is no phone here.'"));
        Возврат;
    КонецЕсли;
    ПерейтиПоНавигационнойСсылке(Адрес);

КонецПроцедуры

#КонецОбласти

#Область СлужебныеПроцедурыИФункции

// Who the agent is, the server says: what a form says can be changed. The pass is good for a
// minute.
&НаСервереБезКонтекста
Функция АдресЧата(Знач Телефон)

    Если ПустаяСтрока(Телефон) Тогда
        Возврат "";
    КонецЕсли;

    УстановитьПривилегированныйРежим(Истина);
    Секрет = Константы.OpenChatСекрет.Получить();
    УстановитьПривилегированныйРежим(Ложь);

    СрокДействия = 60;
    Агент = Строка(ПользователиИнформационнойБазы.ТекущийПользователь().УникальныйИдентификатор);
    Пропуск = OpenChat.ПропускOpenChat(Секрет, Агент, Телефон, СрокДействия);
    Возврат "https://chat.example/open-chat?pass=" + Пропуск;

КонецФункции

#КонецОбласти
