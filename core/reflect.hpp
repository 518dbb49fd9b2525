#pragma once
// The fields of a struct, with their names.

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace xgrad {

namespace detail {

/// Names and values, one after the other. No tuple: every module has one of these, and a tuple takes ten times as long
/// to compile.
template <class... Values>
struct FieldList {};
template <class First, class... Rest>
struct FieldList<First, Rest...> {
  std::string_view name;
  First value;
  FieldList<Rest...> rest;
};

template <class T>
inline constexpr bool is_field_list = false;
template <class... Values>
inline constexpr bool is_field_list<FieldList<Values...>> = true;

template <class First, class... Rest>
constexpr FieldList<First, Rest...> with_first(std::string_view name, std::remove_reference_t<First>& first,
                                               FieldList<Rest...> rest) {
  return {name, std::forward<First>(first), std::move(rest)};  // an lvalue is a reference, a temporary is moved
}
/// Calls f(name, value) for each; as constants if `constant`.
template <bool constant, class F>
constexpr void visit(FieldList<>&, F&) {}
template <bool constant, class First, class... Rest, class F>
constexpr void visit(FieldList<First, Rest...>& list, F& f) {
  if constexpr (constant)
    f(list.name, std::as_const(list.value));
  else
    f(list.name, list.value);
  visit<constant>(list.rest, f);
}

}  // namespace detail

/// What a class returns that lists its fields itself: `auto fields() { return xgrad::fields("weight", weight, "bias",
/// bias); }`, names and members in turn. The member function `fields` is public and not const. It is needed where the
/// fields of a struct cannot be found (see `for_each_field`), and is preferred where it is there.
constexpr detail::FieldList<> fields() { return {}; }
template <class First, class... NamesAndValues>
constexpr auto fields(std::string_view name, First&& first, NamesAndValues&&... more) {
  static_assert(sizeof...(more) % 2 == 0, "fields: names and members in turn, as in fields(\"weight\", weight)");
  return detail::with_first<First>(name, first, fields(std::forward<NamesAndValues>(more)...));
}

/// Two lists as one, for a class that has more fields than its base.
template <class... Second>
constexpr auto joined(detail::FieldList<>, detail::FieldList<Second...> second) {
  return second;
}
template <class First, class... More, class... Second>
constexpr auto joined(detail::FieldList<First, More...> first, detail::FieldList<Second...> second) {
  return detail::with_first<First>(first.name, first.value, joined(std::move(first.rest), std::move(second)));
}

/// A class with a member function `fields` that returns xgrad::fields(...).
template <class T>
concept ListsFields = requires(T& object) {
  requires detail::is_field_list<decltype(object.fields())>;
};

/// A class whose fields `for_each_field` finds.
template <class T>
concept Reflectable = ListsFields<T> ||(std::is_class_v<T>&& std::is_aggregate_v<T>);

namespace detail {

inline constexpr std::size_t max_fields = 64;

// Whether a constructor template of T takes whatever it is given (std::optional, std::any); the conversion below
// would then make the initialisation ambiguous.
template <class T>
struct NotItself {
  template <class U>
  requires(!std::is_same_v<U, T>) operator U() const { __builtin_trap(); }
};

// Initialises any field of Owner. The index makes it depend on a pack.
template <class Owner, std::size_t>
struct Anything {
  template <class U>
  requires(!std::is_same_v<U, Owner> && !std::is_convertible_v<NotItself<U>, U>) operator U() const {
    __builtin_trap();
  }
};

// Initialises a base class of Owner, an empty one or one with fields.
template <class Owner, bool empty>
struct AnyBase {
  template <class U>
  requires(std::is_base_of_v<U, Owner> && !std::is_same_v<U, Owner> && std::is_empty_v<U> == empty) operator U() const {
    __builtin_trap();
  }
};
struct NoBase {};  // initialises only what takes anything

// Whether T{first..., {inner...}, last...} initialises T, each of them Anything.
template <class T, std::size_t... First, std::size_t... Inner, std::size_t... Last>
consteval bool initialises(std::index_sequence<First...>, std::index_sequence<Inner...>, std::index_sequence<Last...>) {
  return requires { T{Anything<T, First>()..., {Anything<T, Inner>()...}, Anything<T, Last>()...}; };
}
template <class T, std::size_t... I>
consteval bool initialises(std::index_sequence<I...>) {
  return requires { T{Anything<T, I>()...}; };
}
// Whether T{first..., Middle(), last...} initialises T.
template <class T, class Middle, std::size_t... First, std::size_t... Last>
consteval bool takes(std::index_sequence<First...>, std::index_sequence<Last...>) {
  return requires { T{Anything<T, First>()..., Middle(), Anything<T, Last>()...}; };
}

// Initialisers that T takes at most. A class counts one, for Anything converts to it; the elements of an array count
// each, for nothing converts to an array. Fewer need not fit, where a field or an element has no default.
template <class T, std::size_t n = 0, std::size_t best = 0, std::size_t misses = 0>
consteval std::size_t initialiser_count() {
  constexpr std::size_t limit = 4 * max_fields;
  static_assert(n < limit,
                "for_each_field: a struct has too many fields or array elements; make a long array a "
                "std::array, or list the fields in a function fields()");
  if constexpr (n == limit)
    return best;
  else if constexpr (initialises<T>(std::make_index_sequence<n>()))
    return initialiser_count<T, n + 1, n>();
  else if constexpr (misses < (best == 0 ? max_fields : 8))
    return initialiser_count<T, n + 1, best, misses + 1>();
  else
    return best;
}

// Whether the initialiser at `index` of `total` is surely not the first element of an array. A shortcut: the search in
// array_length, which would find the same, takes long to compile.
template <class T, std::size_t total, std::size_t index>
consteval bool is_single() {
  using First = std::make_index_sequence<index>;
  using None = std::index_sequence<>;
  if constexpr (initialises<T>(First(), None(), std::make_index_sequence<total - index - 1>()))
    return true;  // {} stands for this initialiser alone
  else            // no default; an array would lack its second element
    return initialises<T>(std::make_index_sequence<index + 1>()) && !initialises<T>(First(), None(), None());
}

// Number of elements of the array that the initialiser at `index` of `total` begins; 1 where there is no array.
template <class T, std::size_t total, std::size_t index, std::size_t length = total - index>
consteval std::size_t array_length() {
  if constexpr (length < 2 || is_single<T, total, index>()) {
    return 1;
  } else {
    using First = std::make_index_sequence<index>;
    using Elements = std::make_index_sequence<length>;
    if constexpr (initialises<T>(First(), Elements(), std::make_index_sequence<total - index - length>()) &&
                  !initialises<T>(First(), Elements(), std::make_index_sequence<total - index - 1>()))
      return length;
    else
      return array_length<T, total, index, length - 1>();
  }
}

template <class T, std::size_t total, std::size_t index = 0>
consteval std::size_t slot_count() {
  if constexpr (index == total)
    return 0;
  else
    return 1 + slot_count<T, total, index + array_length<T, total, index>()>();
}

template <class T, std::size_t total, std::size_t n = 0>
consteval std::size_t base_count() {
  if constexpr (n == total) {
    return n;
  } else {
    using First = std::make_index_sequence<n>;
    using Last = std::make_index_sequence<total - n - 1>;
    constexpr bool is_any = takes<T, NoBase>(First(), Last());
    static_assert(is_any || !takes<T, AnyBase<T, false>>(First(), Last()),
                  "for_each_field: the fields of a struct whose base class has fields cannot be found; list them in a "
                  "function fields()");
    if constexpr (!is_any && takes<T, AnyBase<T, true>>(First(), Last()))
      return base_count<T, total, n + 1>();
    else
      return n;
  }
}

template <class T>
consteval std::size_t count_fields() {
  constexpr std::size_t total = initialiser_count<T>();
  constexpr std::size_t count = slot_count<T, total>() - base_count<T, total>();
  static_assert(count > 0 || std::is_empty_v<T>,
                "for_each_field: the fields of a struct with a reference member cannot be found; list them in a "
                "function fields()");
  return count;
}

template <class T>
inline constexpr std::size_t field_count = count_fields<T>();

/// Whether with_fields compiles for T.
template <class T>
consteval bool fields_can_be_found() {
  if constexpr (!std::is_class_v<T> || !std::is_aggregate_v<T>) {
    return false;
  } else {
    constexpr std::size_t total = initialiser_count<T>();
    if constexpr (total == 0)  // none, or a reference among them
      return std::is_empty_v<T>;
    else
      return takes<T, NoBase>(std::index_sequence<>(), std::make_index_sequence<total - 1>()) ||
             !takes<T, AnyBase<T, false>>(std::index_sequence<>(), std::make_index_sequence<total - 1>());
  }
}

// Calls visit(field...) with references to all fields of an aggregate.
template <class T, class Visit>
constexpr decltype(auto) with_fields(T& object, Visit&& visit) {
  constexpr std::size_t count = field_count<std::remove_const_t<T>>;
  static_assert(count <= max_fields,
                "for_each_field: a struct has more than 64 fields; list them in a function fields()");
  if constexpr (count == 0) return visit();
#define XGRAD_BIND(n, ...)        \
  if constexpr (count == (n)) {   \
    auto& [__VA_ARGS__] = object; \
    return visit(__VA_ARGS__);    \
  }
#define XGRAD_BIND_8(n, x, ...)                                           \
  XGRAD_BIND(n + 1, __VA_ARGS__ x##1)                                     \
  XGRAD_BIND(n + 2, __VA_ARGS__ x##1, x##2)                               \
  XGRAD_BIND(n + 3, __VA_ARGS__ x##1, x##2, x##3)                         \
  XGRAD_BIND(n + 4, __VA_ARGS__ x##1, x##2, x##3, x##4)                   \
  XGRAD_BIND(n + 5, __VA_ARGS__ x##1, x##2, x##3, x##4, x##5)             \
  XGRAD_BIND(n + 6, __VA_ARGS__ x##1, x##2, x##3, x##4, x##5, x##6)       \
  XGRAD_BIND(n + 7, __VA_ARGS__ x##1, x##2, x##3, x##4, x##5, x##6, x##7) \
  XGRAD_BIND(n + 8, __VA_ARGS__ x##1, x##2, x##3, x##4, x##5, x##6, x##7, x##8)
#define XGRAD_8(x) x##1, x##2, x##3, x##4, x##5, x##6, x##7, x##8,
  XGRAD_BIND_8(0, a, )
  XGRAD_BIND_8(8, b, XGRAD_8(a))
  XGRAD_BIND_8(16, c, XGRAD_8(a) XGRAD_8(b))
  XGRAD_BIND_8(24, d, XGRAD_8(a) XGRAD_8(b) XGRAD_8(c))
  XGRAD_BIND_8(32, e, XGRAD_8(a) XGRAD_8(b) XGRAD_8(c) XGRAD_8(d))
  XGRAD_BIND_8(40, f, XGRAD_8(a) XGRAD_8(b) XGRAD_8(c) XGRAD_8(d) XGRAD_8(e))
  XGRAD_BIND_8(48, g, XGRAD_8(a) XGRAD_8(b) XGRAD_8(c) XGRAD_8(d) XGRAD_8(e) XGRAD_8(f))
  XGRAD_BIND_8(56, h, XGRAD_8(a) XGRAD_8(b) XGRAD_8(c) XGRAD_8(d) XGRAD_8(e) XGRAD_8(f) XGRAD_8(g))
#undef XGRAD_8
#undef XGRAD_BIND_8
#undef XGRAD_BIND
}

// An object that is named but never made: the compilers spell a pointer to its field, a template argument, with the
// field's name.
template <class T>
union Unmade {
  char nothing;
  T value;
};
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif
template <class T>
extern const Unmade<T> unmade;

template <class T>
struct FieldPointer {
  const T* pointer;
};
template <class T>
FieldPointer(const T*) -> FieldPointer<T>;

template <class T>
consteval auto field_pointers() {
  return with_fields(unmade<T>.value, [](auto&... field) { return std::tuple(FieldPointer{&field}...); });
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif

template <auto pointer>
consteval std::string_view spelled_field() {
  std::string_view text =
      __PRETTY_FUNCTION__;  // ... {(& unmade<Net>.Unmade<Net>::value.Net::fc1)} or {&unmade.value.fc1}
  text = text.substr(0, text.find_last_not_of(" )}];", text.rfind('}')) + 1);
  return text.substr(text.find_last_of(":.") + 1);
}

template <class T>
consteval auto find_field_names() {
  constexpr std::size_t count = field_count<T>;
  return []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<std::string_view, count>{spelled_field<std::get<I>(field_pointers<T>())>()...};
  }
  (std::make_index_sequence<count>());
}

template <class T>
inline constexpr auto field_names = find_field_names<T>();

}  // namespace detail

/// Calls f(name, field) for every direct field of `object` in order of declaration; `name` is a std::string_view.
///
/// The fields of an aggregate (a struct without constructors, private members and virtual functions) are found by
/// themselves, up to 64 of them: default member initialisers, types without default constructor, C arrays, nested
/// structs, local and unnamed-namespace structs and base classes without fields are all right. A class that is no
/// aggregate, or has reference members, bit-fields, anonymous unions or a base class with fields, lists its fields in
/// a function `fields()` (see `xgrad::fields`).
template <class T, class F>
constexpr void for_each_field(T& object, F&& f) {
  using Object = std::remove_const_t<T>;
  if constexpr (ListsFields<Object>) {
    auto list = const_cast<Object&>(object).fields();
    detail::visit<std::is_const_v<T>>(list, f);
  } else {
    static_assert(Reflectable<Object>,
                  "for_each_field: a class that is no aggregate lists its fields: auto fields() { return "
                  "xgrad::fields(\"weight\", weight, \"bias\", bias); }");
    [[maybe_unused]] std::size_t index = 0;
    detail::with_fields(object, [&](auto&... field) { (f(detail::field_names<Object>[index++], field), ...); });
  }
}

namespace detail {

template <class T>
consteval std::string_view spelled_type() {
  std::string_view text = __PRETTY_FUNCTION__;  // ... [with T = xgrad::nn::Linear; ...] or [T = xgrad::nn::Linear]
  text = text.substr(text.find("T = ") + 4);
  std::size_t depth = 0, begin = 0, end = 0;
  for (; end < text.size(); ++end) {
    const char c = text[end];
    if (depth == 0 && (c == ';' || c == ']')) break;
    if (c == '<' || c == '(' || c == '{' || c == '[') ++depth;
    if (c == '>' || c == ')' || c == '}' || c == ']') --depth;
    if (depth == 0 && c == ':') begin = end + 1;
  }
  text = text.substr(begin, end - begin);
  if (text.find("lambda") == 1) return "lambda";  // <lambda(int)> or (lambda at file.cpp:3:14)
  return text.substr(0, text.find('<'));
}

}  // namespace detail

/// The name of a class without namespaces and template arguments: "Linear". "lambda" for a closure.
template <class T>
inline constexpr std::string_view type_name = detail::spelled_type<std::remove_cv_t<T>>();

}  // namespace xgrad
