#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe::sim {

/// Something to be done once. Like std::function, but it only moves, and what most events hold needs no memory of its
/// own: there are tens of millions of them.
class action {
 public:
  action() = default;
  template <class F, class = std::enable_if_t<!std::is_same_v<std::decay_t<F>, action>>>
  action(F&& f) : kind_(&kind_of<std::decay_t<F>>) {  // NOLINT: as std::function
    using held = std::decay_t<F>;
    if constexpr (fits<held>())
      new (&room_) held(std::forward<F>(f));
    else
      new (&room_) held*(new held(std::forward<F>(f)));
  }
  action(action&& other) noexcept : kind_(std::exchange(other.kind_, nullptr)) {
    if (kind_) kind_->move(&room_, &other.room_);
  }
  action& operator=(action&& other) noexcept {
    if (this == &other) return *this;
    reset();
    kind_ = std::exchange(other.kind_, nullptr);
    if (kind_) kind_->move(&room_, &other.room_);
    return *this;
  }
  ~action() { reset(); }

  void operator()() { kind_->call(&room_); }

 private:
  struct kind {
    void (*call)(void*);
    void (*move)(void* to, void* from);  // and ends what was at `from`
    void (*end)(void*);
  };
  static constexpr std::size_t room = 48;
  template <class T>
  static constexpr bool fits() {
    return sizeof(T) <= room && alignof(T) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<T>;
  }
  template <class T>
  static T& at(void* p) {
    if constexpr (fits<T>())
      return *static_cast<T*>(p);
    else
      return **static_cast<T**>(p);
  }
  template <class T>
  static constexpr kind kind_of = {[](void* p) { at<T>(p)(); },
                                   [](void* to, void* from) {
                                     if constexpr (fits<T>()) {
                                       new (to) T(std::move(at<T>(from)));
                                       at<T>(from).~T();
                                     } else {
                                       new (to) T*(*static_cast<T**>(from));
                                     }
                                   },
                                   [](void* p) {
                                     if constexpr (fits<T>())
                                       at<T>(p).~T();
                                     else
                                       delete *static_cast<T**>(p);
                                   }};

  void reset() {
    if (kind_) std::exchange(kind_, nullptr)->end(&room_);
  }

  const kind* kind_ = nullptr;
  alignas(std::max_align_t) unsigned char room_[room];
};

/// What will happen, by its moment; what is due at the same moment happens in the order in which it was planned.
class timeline {
 public:
  using duration = std::chrono::nanoseconds;  ///< since the world began
  using action = sim::action;

  duration now() const { return now_; }
  bool empty() const { return heap_.empty(); }
  std::uint64_t happened() const { return happened_; }

  void at(duration moment, action what);
  void after(duration wait, action what) { at(now_ + wait, std::move(what)); }

  /// The next of what is due by then. False: there is nothing, and it is then.
  bool run_one(duration until);

 private:
  /// The actions lie still beside the heap, and only this moves in it.
  struct planned {
    duration moment;
    std::uint64_t number;
    std::uint32_t place;
  };
  static bool later(const planned& a, const planned& b) {
    return a.moment != b.moment ? a.moment > b.moment : a.number > b.number;
  }

  duration now_{0};
  std::uint64_t planned_ = 0;
  std::uint64_t happened_ = 0;
  std::vector<planned> heap_;
  std::vector<action> actions_;
  std::vector<std::uint32_t> free_places_;
};

}  // namespace troupe::sim
