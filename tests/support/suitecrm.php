<?php
// SuiteCRM's side of custom/openchat, as far as that asks for it: suitecrm.php FOLDER MODULE ID
// prints the address that a click of the user c0ffee leads to, or why it leads nowhere. The secret
// is in PASS_SECRET.

class Bean
{
    public $id = 'client';
    public $module_dir = 'Contacts';
    public $phone_mobile = '';
    public $phone_work = '+38 (050) 123-45-67';
    public $visible = true;

    public function ACLAccess($view)
    {
        return $view === 'view' && $this->visible;
    }
}

class BeanFactory
{
    public static function getBean($module, $id)
    {
        $bean = new Bean();
        switch ($id) {
            case 'client':
                return $bean;
            case 'hidden':
                $bean->visible = false;
                return $bean;
            case 'phoneless':
                $bean->phone_work = ' ';
                return $bean;
        }
        return false;
    }
}

chdir($argv[1]);
require 'custom/openchat/chat_url.php';
require 'custom/openchat/click.php';
$query = ['module' => $argv[2], 'id' => $argv[3]];
try {
    echo open_chat_click($query, (object) ['id' => 'c0ffee'], ['secret' => (string) getenv('PASS_SECRET')]);
} catch (OpenChatRefusal $refusal) {
    echo $refusal->getMessage();
}
